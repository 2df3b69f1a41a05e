"""From jobs to clusters: strategies, the planner, and the nodes an orchestrator shows."""

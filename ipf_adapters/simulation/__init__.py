"""A simulated mission: one downlink session, its auxiliary and static data, and the truth to check products against."""

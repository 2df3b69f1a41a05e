"""The query language of OData v4, as far as it concerns products."""

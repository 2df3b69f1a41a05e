"""The web service where users find published products: OData v4 (PRIP) and STAC, over one store."""

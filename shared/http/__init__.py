"""From an event of API Gateway to an endpoint, and from its result to an answer."""

"""Time-to-event endpoints: milestones are dated occurrences, an endpoint is a sentence about milestones."""

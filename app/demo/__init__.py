"""The four trials with made-up patients: a deterministic simulation that enters its pages through the one door."""

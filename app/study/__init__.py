"""The study as built: its definition, its schedule, and the checks a study file must pass before it is published."""

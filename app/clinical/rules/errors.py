class RuleError(ValueError):
    """An input cannot be read; says which input and what is accepted, never the value that was given."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name
        self.message = message


class ImpossibleError(ValueError):
    """What is tried for a missing input cannot stand beside what is known: nobody could have entered it."""

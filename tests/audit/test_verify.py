def test_what_the_application_wrote_verifies(trial) -> None:
    report = trial.verify()
    assert [str(f) for f in report] == []

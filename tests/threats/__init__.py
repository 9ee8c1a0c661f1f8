"""The threats S1 to S28: which guard stands against each, how it is taken away, and the test that then fails."""

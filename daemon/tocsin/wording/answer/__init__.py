"""The words of our answers: to SMS, and to whoever wants to sign in."""

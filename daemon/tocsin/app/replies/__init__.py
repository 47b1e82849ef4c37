"""Answers that come in: by SMS, by link, by other processes, judged once each."""

"""The languages of messages: sentences by catalogues, dates and lists as people there write them."""

"""Letters on their way: queues, tries, outcomes, receipts, and words for operators."""

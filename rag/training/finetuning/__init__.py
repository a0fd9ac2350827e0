"""Fine-tuning one reader on questions in SQuAD's format."""

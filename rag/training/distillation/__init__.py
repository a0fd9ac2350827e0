"""Knowledge distillation: a large reader, the teacher, trains a small one, the student."""

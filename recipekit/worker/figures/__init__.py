"""What the figures of a report are made of, and how they are drawn; nothing here is judged."""

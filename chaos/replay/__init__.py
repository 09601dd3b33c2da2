"""From a trace to what explains it, and to whether it happens again."""

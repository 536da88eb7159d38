"""What to do about each refusal, in Spanish: it stands in `acequia.words.doing`, where receipts find it, too."""

from acequia.words.doing import DOING

__all__ = ["DOING"]

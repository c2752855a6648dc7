"""The numbers the papers print, computed again: one module a paper."""

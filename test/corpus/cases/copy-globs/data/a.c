data/a.c

data/sub/m.c

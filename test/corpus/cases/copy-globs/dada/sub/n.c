dada/sub/n.c

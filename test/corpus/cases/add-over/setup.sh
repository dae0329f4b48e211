mkdir -p s/in && echo new > s/a && echo n > s/in/n && echo f > s/f && touch -d @1000000000 s/a s/in/n s/f && tar --owner=0 --group=0 --numeric-owner -C s -cf a.tar a in f && rm -rf s

chmod 640 secret && chmod 2750 dir/sub && touch -d "2020-01-02 03:04:05" secret script.sh dir/sub/x

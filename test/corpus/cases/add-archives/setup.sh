mkdir -p src/in dir && echo a > src/a && echo b > src/in/b && ln -s a src/l && chmod 750 src/in && ln src/a src/h && touch -d @1000000000 src/a src/in/b
tar --numeric-owner --owner=11 --group=12 -C src -cf a.tar . && gzip -kn a.tar && bzip2 -k a.tar && xz -k a.tar && echo notes > notes.txt && echo not a tar | gzip -n > fake.tar.gz && cp a.tar dir/
rm -rf src

rm -f l; ln -s d/e l

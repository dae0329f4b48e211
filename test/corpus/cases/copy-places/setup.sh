umask 022
mkdir -p d/e d2 s/d/sub s/real
echo ctx > f && echo g > d/e/g && ln -s d/e l && ln -s ../d/e d2/e
cd s && echo f > file && ln -s /real sl && ln -s /file fl && ln -s /nope/x dang && chmod 700 d && echo s > d/sub/x
tar --sort=name --mtime=@1000000000 --owner=3 --group=4 --numeric-owner -cf ../start.tar . && cd .. && rm -r s
touch -d @1000000000 f d/e/g start.tar

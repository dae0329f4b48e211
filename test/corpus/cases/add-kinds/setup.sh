umask 022
mkdir -p w/in && echo 1 > w/f && echo 2 > w/in/g && chmod 750 w/in && ln -s f w/l && ln w/f w/h && chmod 4755 w/in/g
tar --sort=name --mtime=@1000000000 --owner=11 --group=12 --numeric-owner -C w -cf a.tar . && gzip -nk a.tar && mv a.tar.gz a.tgz
tar --sort=name --mtime=@1000000000 --owner=11 --group=12 --numeric-owner -C w -cf dots.tar ./in/g ./f
tar -P --sort=name --mtime=@1000000000 --owner=0 --group=0 --transform='s,^w,/w,' -cf abs.tar w/f
mkdir k && ln -s /etc k/out && echo k > k/file && tar --sort=name --mtime=@1000000000 --owner=0 --group=0 -C k -cf links.tar out file
rm -r w k; echo b > b.txt
mkdir -p t/dir && echo x > t/x && chmod 640 t/x && ln -s dir t/sdir && ln -s x t/sfile && echo y > t/dir/y && chmod 2770 t/dir
mkdir hard && echo h > hard/a && ln hard/a hard/b && ln hard/a hardout

mkdir src && echo f > src/f && tar --numeric-owner --owner=11 --group=12 -czf a.tar.gz src && rm -r src && chmod 644 a.tar.gz

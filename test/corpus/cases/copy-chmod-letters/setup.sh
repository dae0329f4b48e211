mkdir -p src/dir && echo run > src/run && chmod 750 src/run && echo plain > src/plain && chmod 600 src/plain && echo d > src/dir/f && chmod 700 src/dir

mkdir -p src vendor/keep/in vendor/drop; echo c > src/a.c; echo o > src/a.o; echo k > vendor/keep/in/k; echo d > vendor/drop/d; echo x > other

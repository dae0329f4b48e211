mkdir -p tree/in && echo x > tree/in/x && ln -s in/x tree/rel && ln -s /etc/passwd tree/abs && ln -s missing tree/broken && ln -s tree linkdir && ln -s tree/in/x linkfile

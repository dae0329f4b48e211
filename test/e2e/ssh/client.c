/* client PATH HEX...: sends each message to the agent at PATH, with its length before it; prints the answers in hex. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static unsigned char bytes[300000];

static int read_all(int fd, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t more = read(fd, bytes + done, size - done);
		if (more <= 0)
			return -1;
		done += (size_t)more;
	}
	return 0;
}

static size_t length(void)
{
	return (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
}

static void ask(int fd, const char *hex)
{
	size_t size = strlen(hex) / 2;
	for (int i = 0; i < 4; i++)
		bytes[i] = (unsigned char)(size >> (24 - 8 * i));
	for (size_t i = 0; i < size; i++)
		sscanf(hex + 2 * i, "%2hhx", &bytes[4 + i]);
	if (write(fd, bytes, size + 4) < 0 || read_all(fd, 4) || length() > sizeof bytes || (size = length(), read_all(fd, size))) {
		puts("gone");
		return;
	}
	for (size_t i = 0; i < size; i++)
		printf("%02x", bytes[i]);
	puts("");
}

int main(int argc, char **argv)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX }, peer;
	socklen_t size = sizeof peer;
	if (argc < 2 || strlen(argv[1]) >= sizeof name.sun_path)
		return 2;
	strcpy(name.sun_path, argv[1]);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (connect(fd, (struct sockaddr *)&name, sizeof name)) {
		printf("%s\n", strerror(errno));
		return 0;
	}
	if (argc == 2 && getpeername(fd, (struct sockaddr *)&peer, &size) == 0)
		printf("peer %s\n", peer.sun_path);
	for (int i = 2; i < argc; i++)
		ask(fd, argv[i]);
	return 0;
}

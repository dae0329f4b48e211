/* swap DIR A B: exchanges two names in a directory until it is killed; says "on" when it begins. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int dir = argc == 4 ? open(argv[1], O_PATH | O_DIRECTORY) : -1;
	if (dir < 0 || renameat2(dir, argv[2], dir, argv[3], RENAME_EXCHANGE))
		return 1;
	puts("on");
	fflush(stdout);
	for (;;)
		renameat2(dir, argv[2], dir, argv[3], RENAME_EXCHANGE);
}

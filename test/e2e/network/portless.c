/* Asks a name server from port 0, to which no answer can be sent. Usage: portless ADDRESS */
#include <arpa/inet.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
	unsigned char packet[8 + 27] = { 0 }, *question = packet + 8;
	struct udphdr udp = { .dest = htons(53), .len = htons(sizeof packet) };
	struct sockaddr_in to = { .sin_family = AF_INET };
	int raw = socket(AF_INET, SOCK_RAW, IPPROTO_UDP);
	memcpy(packet, &udp, sizeof udp);
	question[2] = 1;
	question[5] = 1;
	memcpy(question + 12, "\4name\4test\0\0\1\0\1", 15);
	if (argc != 2 || raw < 0 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1)
		return 1;
	for (int i = 0; i < 3; i++)
		if (sendto(raw, packet, sizeof packet, 0, (struct sockaddr *)&to, sizeof to) < 0)
			perror("sendto");
	return 0;
}

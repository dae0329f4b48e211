/*
 * A neighbour that lies: router advertisements, ARP for others' addresses, packets from others' addresses and of no connection, all through
 * its first interface. Usage: neighbour VICTIM: the address of another container. It says "begin" and "end" to port 9999
 * of its gateway and waits for each to be answered, so that the other side can look at itself before and after.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int packets;
static struct sockaddr_ll link_address = { .sll_family = AF_PACKET, .sll_halen = 6 };
static const uint8_t everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t evil[6] = { 0x02, 0xba, 0xdb, 0xad, 0xba, 0xd0 };

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint16_t checksum(uint32_t sum, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | (i + 1 < size ? bytes[i + 1] : 0));
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void send_frame(const uint8_t to[6], unsigned type, const uint8_t *payload, size_t size)
{
	uint8_t frame[512];
	memcpy(frame, to, 6);
	memcpy(frame + 6, evil, 6);
	put16(frame + 12, type);
	memcpy(frame + 14, payload, size);
	memcpy(link_address.sll_addr, to, 6);
	if (sendto(packets, frame, 14 + size, 0, (struct sockaddr *)&link_address, sizeof link_address) < 0)
		die("sendto");
}

/* A default router, and 2001:db8:bad::/64 to make an address from. */
static void advertise_router(void)
{
	static const uint8_t all_nodes[6] = { 0x33, 0x33, 0, 0, 0, 1 };
	uint8_t p[40 + 16 + 8 + 32] = { 0x60, 0, 0, 0, 0, 56, 58, 255, 0xfe, 0x80, [22] = 0x0b, 0xad, [24] = 0xff, 0x02, [39] = 1 };
	uint8_t *icmp = p + 40;
	icmp[0] = 134;
	icmp[4] = 64;
	put16(icmp + 6, 1800);
	icmp[16] = 1;
	icmp[17] = 1;
	memcpy(icmp + 18, evil, 6);
	uint8_t *prefix = icmp + 24;
	prefix[0] = 3;
	prefix[1] = 4;
	prefix[2] = 64;
	prefix[3] = 0xc0;
	memset(prefix + 4, 0x7f, 8);
	memcpy(prefix + 16, (uint8_t[]){ 0x20, 0x01, 0x0d, 0xb8, 0x0b, 0xad }, 6);
	/* The pseudo header: both addresses, length and protocol. */
	uint32_t sum = 56 + 58;
	for (int i = 8; i < 40; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	put16(icmp + 2, checksum(sum, icmp, 56));
	send_frame(all_nodes, ETH_P_IPV6, p, sizeof p);
}

static void arp(unsigned operation, uint32_t sender, uint32_t target)
{
	uint8_t p[28] = { 0, 1, 8, 0, 6, 4 };
	put16(p + 6, operation);
	memcpy(p + 8, evil, 6);
	memcpy(p + 14, &sender, 4);
	memcpy(p + 24, &target, 4);
	send_frame(everybody, ETH_P_ARP, p, sizeof p);
}

static void datagram(uint32_t from, uint32_t to, const char *text)
{
	uint8_t p[128] = { 0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17 };
	size_t size = strlen(text);
	put16(p + 2, (unsigned)(28 + size));
	memcpy(p + 12, &from, 4);
	memcpy(p + 16, &to, 4);
	put16(p + 10, checksum(0, p, 20));
	put16(p + 20, 9999);
	put16(p + 22, 9999);
	put16(p + 24, (unsigned)(8 + size));
	memcpy(p + 28, text, size);
	send_frame(everybody, ETH_P_IP, p, 28 + size);
}

static void send_raw(int protocol, uint32_t to, const uint8_t *payload, size_t size)
{
	struct sockaddr_in where = { AF_INET, 0, { to }, { 0 } };
	int raw = socket(AF_INET, SOCK_RAW, protocol);
	if (raw < 0 || sendto(raw, payload, size, 0, (struct sockaddr *)&where, sizeof where) < 0)
		die("raw socket");
	close(raw);
}

/* The end of a connection that never was. */
static void reset(uint32_t from, uint32_t to)
{
	uint8_t p[12 + 20] = { [9] = IPPROTO_TCP, [11] = 20 }, *tcp = p + 12;
	memcpy(p, &from, 4);
	memcpy(p + 4, &to, 4);
	put16(tcp, 1234);
	put16(tcp + 2, 80);
	tcp[12] = 5 << 4;
	tcp[13] = 4; /* RST */
	put16(tcp + 16, checksum(0, p, sizeof p));
	send_raw(IPPROTO_TCP, to, tcp, 20);
}

/* "What you sent there was too big", about what the gateway has never sent. */
static void too_big(uint32_t gateway, uint32_t there)
{
	uint8_t p[8 + 28] = { 3, 4 }, *inner = p + 8;
	put16(p + 6, 600);
	inner[0] = 0x45;
	inner[3] = 28;
	inner[8] = 64;
	inner[9] = IPPROTO_ICMP;
	memcpy(inner + 12, &gateway, 4);
	memcpy(inner + 16, &there, 4);
	put16(inner + 10, checksum(0, inner, 20));
	put16(inner + 22, checksum(0, inner + 20, 8)); /* an answer to a ping */
	put16(p + 2, checksum(0, p, sizeof p));
	send_raw(IPPROTO_ICMP, gateway, p, sizeof p);
}

static void tell(int udp, const char *text)
{
	char answer[16];
	if (send(udp, text, strlen(text), 0) < 0 || recv(udp, answer, sizeof answer, 0) < 0)
		die(text);
}

int main(int argc, char **argv)
{
	/* One processor: what is sent first is looked at first. */
	cpu_set_t one;
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof one, &one);
	struct ifreq interface = { .ifr_name = "eth0" };
	int udp = socket(AF_INET, SOCK_DGRAM, 0);
	if (argc < 2 || ioctl(udp, SIOCGIFADDR, &interface))
		die("eth0");
	uint32_t own = ((struct sockaddr_in *)&interface.ifr_addr)->sin_addr.s_addr;
	uint32_t gateway = htonl(ntohl(own) - 1);
	struct sockaddr_in host = { AF_INET, htons(9999), { gateway }, { 0 } };
	if (connect(udp, (struct sockaddr *)&host, sizeof host))
		die("connect");
	link_address.sll_ifindex = (int)if_nametoindex("eth0");
	packets = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	if (packets < 0)
		die("packet socket");
	tell(udp, "begin");
	uint32_t outside = inet_addr("192.0.2.2"), hosts = inet_addr("192.0.2.1"), victim = inet_addr(argv[1]);
	advertise_router();
	arp(2, own, own);
	arp(2, gateway, gateway);
	arp(2, outside, hosts);
	arp(1, outside, hosts);
	arp(1, outside, gateway);
	arp(1, victim, gateway);
	datagram(outside, gateway, "as the world outside");
	datagram(victim, gateway, "as another container");
	datagram(gateway, gateway, "as the host");
	datagram(own, inet_addr("127.0.0.1"), "to the host's loopback");
	datagram(own, inet_addr("224.0.0.251"), "to a group");
	datagram(own, inet_addr("255.255.255.255"), "to everybody");
	datagram(outside, victim, "to another container");
	reset(own, outside);
	too_big(gateway, inet_addr("203.0.113.9"));
	tell(udp, "end");
	return 0;
}

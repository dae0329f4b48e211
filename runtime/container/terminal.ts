import { call } from "../../native/syscall.ts";

const TIOCSWINSZ = 0x5414;

/** Sets the size of a terminal by its master side; its foreground process gets SIGWINCH. @see ioctl_tty(2) */
export function resizeTerminal(master: number, columns: number, rows: number): void {
  const window = Buffer.alloc(8);
  window.writeUInt16LE(rows, 0);
  window.writeUInt16LE(columns, 2);
  call("ioctl", undefined, master, TIOCSWINSZ, window);
}

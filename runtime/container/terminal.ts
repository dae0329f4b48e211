import { call, closeFd } from "../../native/syscall.ts";

const O_RDWR = 2;
const O_NOCTTY = 0o400;
const O_CLOEXEC = 0o2000000;
const TIOCSPTLCK = 0x4004_5431;
const TIOCGPTPEER = 0x5441;
const TIOCSWINSZ = 0x5414;
const AT_FDCWD = -100;

/** A pseudo terminal; dispose closes what is open of it. */
export interface Terminal extends Disposable {
  readonly master: number;
  readonly slave: number;
  closeSlave(): void;
  resize(columns: number, rows: number): void;
}

/** A new pseudo terminal of this size. @see pty(7) */
export function openTerminal(size: { readonly columns: number; readonly rows: number }): Terminal {
  const flags = O_RDWR | O_NOCTTY | O_CLOEXEC;
  const master = call("openat", "/dev/ptmx", AT_FDCWD, Buffer.from("/dev/ptmx\0"), flags, 0);
  call("ioctl", undefined, master, TIOCSPTLCK, Buffer.alloc(4));
  const slave = call("ioctlNumber", undefined, master, TIOCGPTPEER, flags);
  let open = true;
  const closeSlave = (): void => {
    if (open) closeFd(slave);
    open = false;
  };
  const resize = (columns: number, rows: number): void => {
    const window = Buffer.alloc(8);
    window.writeUInt16LE(rows, 0);
    window.writeUInt16LE(columns, 2);
    call("ioctl", undefined, master, TIOCSWINSZ, window);
  };
  resize(size.columns, size.rows);
  return {
    master,
    slave,
    closeSlave,
    resize,
    [Symbol.dispose]: () => {
      closeSlave();
      closeFd(master);
    },
  };
}

package db

import (
	"fmt"
	"syscall"
)

// checkFilesystem refuses network file systems, whose locks SQLite cannot trust.
func checkFilesystem(dir string) error {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	names := map[uint32]string{0x6969: "NFS", 0xff534d42: "CIFS", 0xfe534d42: "SMB", 0x01021997: "9P", 0x00c36400: "Ceph"}
	if name, bad := names[uint32(s.Type)]; bad { //nolint:gosec // magic numbers are 32 bits
		return fmt.Errorf("data folder %s is on a network file system (%s); SQLite needs a local disk, or use PostgreSQL", dir, name)
	}
	return nil
}

package testserver

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// watch sends sig to a process when this one has ended, however it ends: a shell
// waits for the end of a pipe that nobody else holds. unwatch calls it off.
func watch(pid int, sig syscall.Signal) (unwatch func(), err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	cmd := exec.Command("sh", "-c", `cat; kill -"$0" "$1"`, strconv.Itoa(int(sig)), strconv.Itoa(pid))
	cmd.Stdin = r
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is not for it
	if err := cmd.Start(); err != nil {
		w.Close()
		return nil, err
	}
	return func() {
		cmd.Process.Kill()
		cmd.Wait()
		w.Close()
	}, nil
}

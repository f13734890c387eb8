package testserver

import "syscall"

// tied: the kernel ends a server when the test process dies.
const tied = true

func (s *Server) attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: s.user, Pdeathsig: s.orphaned, Setpgid: true}
}

// Tied are the attributes of a child that ends with the test process, where the
// kernel can do that.
func Tied() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

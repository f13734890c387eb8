//go:build !linux

package testserver

import "syscall"

const tied = false // a watch does it

func (s *Server) attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: s.user, Setpgid: true}
}

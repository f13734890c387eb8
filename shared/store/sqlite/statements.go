package sqlite

import (
	ring "container/list"
	"context"
	"database/sql/driver"
	"errors"
)

const (
	keptStatements = 100  // of a connection
	longestKept    = 4096 // bytes: a longer one has so many rows that compiling it hardly counts
)

// keeping is a connector whose connections compile a statement once, since a
// transaction's own statements end with it.
type keeping struct{ driver.Connector }

func (k keeping) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := k.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	inner, ok := c.(sqliteConn)
	if !ok {
		return nil, errors.Join(errors.New("the driver's connections lack what they had"), c.Close())
	}
	return &conn{sqliteConn: inner, byText: map[string]*ring.Element{}, order: ring.New()}, nil
}

// sqliteConn is what a connection of the driver can do, but for running a text
// that is not compiled: database/sql then compiles it first.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// conn keeps the statements that were used last. database/sql calls it and its
// statements one at a time.
type conn struct {
	sqliteConn
	byText map[string]*ring.Element // of *statement
	order  *ring.List               // the last used first
}

// Unwrap lets the driver's own functions find their connection.
func (c *conn) Unwrap() driver.Conn { return c.sqliteConn }

// statement is compiled, and either used by one caller or waiting for the next.
type statement struct {
	sqliteStmt
	text       string
	used, kept bool
}

type sqliteStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

func (c *conn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	if e, ok := c.byText[text]; ok {
		if s := e.Value.(*statement); !s.used {
			s.used = true
			c.order.MoveToFront(e)
			return s, nil
		}
	}
	compiled, err := c.sqliteConn.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	inner, ok := compiled.(sqliteStmt)
	if !ok || len(text) > longestKept || c.byText[text] != nil {
		return compiled, nil
	}
	s := &statement{sqliteStmt: inner, text: text, used: true, kept: true}
	c.byText[text] = c.order.PushFront(s)
	if c.order.Len() > keptStatements {
		return s, c.forget(c.order.Back())
	}
	return s, nil
}

// forget ends a statement, or lets it end with its use.
func (c *conn) forget(e *ring.Element) error {
	s := e.Value.(*statement)
	c.order.Remove(e)
	delete(c.byText, s.text)
	s.kept = false
	if s.used {
		return nil
	}
	return s.sqliteStmt.Close()
}

// Close keeps the statement for the next who prepares its text.
func (s *statement) Close() error {
	s.used = false
	if s.kept {
		return nil
	}
	return s.sqliteStmt.Close()
}

func (c *conn) Close() error {
	var errs []error
	for c.order.Len() > 0 {
		errs = append(errs, c.forget(c.order.Back()))
	}
	return errors.Join(append(errs, c.sqliteConn.Close())...)
}

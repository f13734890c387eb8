package sqlite

import (
	lru "container/list"
	"context"
	"database/sql/driver"
	"errors"
)

const (
	maxCached = 100  // statements of a connection
	maxText   = 4096 // bytes of a cached statement; longer ones insert so many rows that compiling hardly counts
)

// cachingConnector is a connector whose connections cache compiled statements.
// database/sql closes a transaction's statements when the transaction ends, so without
// the cache each transaction compiles them again.
type cachingConnector struct {
	driver.Connector
	damaged watch
}

func (cc cachingConnector) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := cc.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	inner, ok := c.(sqliteConn)
	if !ok {
		return nil, errors.Join(errors.New("the SQLite driver's connection lacks a method that it had"), c.Close())
	}
	return &conn{sqliteConn: inner, damaged: cc.damaged, byText: map[string]*lru.Element{}, order: lru.New()}, nil
}

// sqliteConn is the method set of the driver's connection without ExecContext and
// QueryContext. So database/sql prepares every statement, which uses the cache.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// conn is a connection with a cache of the statements used most recently. database/sql
// makes only one call at a time to a connection and its statements.
type conn struct {
	sqliteConn
	damaged watch
	byText  map[string]*lru.Element // of *statement
	order   *lru.List               // the most recently used first
}

// Unwrap lets the driver's own functions find their connection.
func (c *conn) Unwrap() driver.Conn { return c.sqliteConn }

// statement is a compiled statement.
type statement struct {
	sqliteStmt
	damaged watch
	text    string
	used    bool // a caller has it and has not closed it
	cached  bool
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
		return nil, c.damaged.tell(err)
	}
	inner, ok := compiled.(sqliteStmt)
	if !ok || len(text) > maxText || c.byText[text] != nil {
		return compiled, nil
	}
	s := &statement{sqliteStmt: inner, damaged: c.damaged, text: text, used: true, cached: true}
	c.byText[text] = c.order.PushFront(s)
	if c.order.Len() > maxCached {
		return s, c.evict(c.order.Back())
	}
	return s, nil
}

// evict removes a statement from the cache. It closes the statement, unless a caller
// still uses it: then the caller's Close does.
func (c *conn) evict(e *lru.Element) error {
	s := e.Value.(*statement)
	c.order.Remove(e)
	delete(c.byText, s.text)
	s.cached = false
	if s.used {
		return nil
	}
	return s.sqliteStmt.Close()
}

// Close returns a cached statement to the cache, and closes any other.
func (s *statement) Close() error {
	s.used = false
	if s.cached {
		return nil
	}
	return s.sqliteStmt.Close()
}

func (c *conn) Close() error {
	var errs []error
	for c.order.Len() > 0 {
		errs = append(errs, c.evict(c.order.Back()))
	}
	return errors.Join(append(errs, c.sqliteConn.Close())...)
}

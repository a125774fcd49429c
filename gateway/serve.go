package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
)

// Serve answers on the listener until ctx ends, then takes no more and lets what is under way finish, for stopTimeout at most. The event
// streams end at once: their listeners come back elsewhere.
func (g *Gateway) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler: g, ReadHeaderTimeout: headerTimeout, ReadTimeout: headerTimeout + g.settings.Timeout,
		WriteTimeout: headerTimeout + g.settings.Timeout + writeSpare, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(g.config.Log.Handler(), slog.LevelWarn), // handshakes that fail, handlers that panic
	}
	var wg sync.WaitGroup
	ended := make(chan error, 1)
	wg.Go(func() { ended <- g.accept(server, l) })
	defer wg.Wait()
	select {
	case err := <-ended:
		g.end()
		return err
	case <-ctx.Done():
	}
	g.end()
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if err := server.Shutdown(stopping); err != nil {
		return errors.Join(fmt.Errorf("stop the gateway: %w", err), server.Close())
	}
	return nil
}

func (g *Gateway) accept(server *http.Server, l net.Listener) error {
	var err error
	if t := g.settings.TLS; t.Cert != "" {
		err = server.ServeTLS(l, t.Cert, t.Key)
	} else {
		err = server.Serve(l)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve on %s: %w", l.Addr(), err)
}

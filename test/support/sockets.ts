import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type Server, type Socket } from 'node:net'

/** A TCP server on a free loopback port that does with each connection what it is told, for servers that are no ClickHouse. */
export type RawServer = { readonly port: number; connections(): number; stop(): Promise<void> }

/** Starts it; `serve` is called for every connection. */
export async function startRawServer(serve: (socket: Socket) => void): Promise<RawServer> {
  const sockets = new Set<Socket>()
  let connections = 0
  const server: Server = createServer((socket) => {
    connections++
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    serve(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    async stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Answers every request with these bytes once its head has arrived, and closes. */
export function answering(text: string): (socket: Socket) => void {
  return (socket) => socket.once('data', () => socket.end(text))
}

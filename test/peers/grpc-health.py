"""A gRPC server with the health protocol, on gRPC's own C core. The argument is its port; the answers are written by
hand, as bytes."""

import sys
from concurrent import futures

import grpc


def check(request, context):
    if request == b"":
        return b"\x08\x01"
    if request == b"\x0a\x04mail":
        return b"\x08\x02"
    context.abort(grpc.StatusCode.NOT_FOUND, "unknown service: grün")


server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
handler = grpc.unary_unary_rpc_method_handler(check)
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": handler}),))
server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
server.start()
server.wait_for_termination()

import java.io.IOException;
import java.time.Duration;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.WebSocket;
import okhttp3.WebSocketListener;

/** OkHttp, which pings: a connection that no pong comes over counts as lost. Takes what {@link Books} takes. */
final class OkHttp implements Library {
    private final OkHttpClient client = new OkHttpClient.Builder().pingInterval(Duration.ofMillis(500)).build();

    public static void main(String[] args) {
        Books.keep(args, new OkHttp());
    }

    @Override
    public String get(String url) throws IOException {
        try (Response response = client.newCall(new Request.Builder().url(url).build()).execute()) {
            return response.body().string();
        }
    }

    @Override
    public Line open(String url) {
        return new OkHttpLine(client, new Request.Builder().url(url).build());
    }

    private static final class OkHttpLine extends Line {
        private final WebSocket socket;

        private OkHttpLine(OkHttpClient client, Request request) {
            socket = client.newWebSocket(request, new WebSocketListener() {
                @Override
                public void onMessage(WebSocket socket, String text) {
                    hear(text);
                }

                @Override
                public void onClosing(WebSocket socket, int code, String reason) {
                    end(code + " " + reason);
                }

                @Override
                public void onFailure(WebSocket socket, Throwable error, Response response) {
                    end(error.toString());
                }
            });
        }

        @Override
        void send(String text) {
            socket.send(text);
        }

        @Override
        public void close() {
            socket.close(1000, null);
        }
    }
}

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;

/** The JDK's own client. Takes what {@link Books} takes. */
final class Jdk implements Library {
    private final HttpClient client = HttpClient.newHttpClient();

    public static void main(String[] args) {
        Books.keep(args, new Jdk());
    }

    @Override
    public String get(String url) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url)).build();
        return client.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }

    @Override
    public Line open(String url) throws IOException, InterruptedException {
        JdkLine line = new JdkLine();
        try {
            line.socket = client.newWebSocketBuilder().buildAsync(URI.create(url), line.listener).get();
        } catch (ExecutionException failed) {
            throw new IOException(failed.getCause());
        }
        return line;
    }

    private static final class JdkLine extends Line {
        private WebSocket socket;

        private final WebSocket.Listener listener = new WebSocket.Listener() {
            private final StringBuilder text = new StringBuilder();

            @Override
            public CompletionStage<?> onText(WebSocket socket, CharSequence part, boolean last) {
                text.append(part);
                if (last) {
                    hear(text.toString());
                    text.setLength(0);
                }
                socket.request(1);
                return null;
            }

            @Override
            public CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
                end(code + " " + reason);
                return null;
            }

            @Override
            public void onError(WebSocket socket, Throwable error) {
                end(error.toString());
            }
        };

        @Override
        void send(String text) {
            socket.sendText(text, true).join();
        }

        @Override
        public void close() {
            socket.sendClose(WebSocket.NORMAL_CLOSURE, "");
        }
    }
}

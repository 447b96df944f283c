import java.io.IOException;

/** What books need of a library for HTTP and WebSocket. */
interface Library {
    /** The body of an answer. */
    String get(String url) throws IOException, InterruptedException;

    /** Opens a WebSocket. That it cannot be opened may also be told as its end. */
    Line open(String url) throws IOException, InterruptedException;
}

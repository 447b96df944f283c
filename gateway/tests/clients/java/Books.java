import com.google.gson.Gson;
import com.google.gson.JsonObject;
import java.io.IOException;

/**
 * Keeps a book in the words of a venue and prints it, a line of JSON each time, for whoever knows better. Takes host and port of a
 * gateway, the venue, and how many events to follow. It starts over when the connection ends, and prints why it did.
 */
final class Books {
    /** Keeps a book over one connection. */
    interface Book {
        /** Connects and follows until so many events were taken in all; throws where the connection ends before. */
        void follow(Library library, int events) throws IOException, InterruptedException;
    }

    /** Ends the program, whatever threads a library may have. */
    static void keep(String[] args, Library library) {
        try {
            follow(args, library);
            System.exit(0);
        } catch (Throwable wrong) {
            wrong.printStackTrace();
            System.exit(1);
        }
    }

    private static void follow(String[] args, Library library) throws InterruptedException {
        Book book = args[1].equals("binance") ? new BinanceBook(args[0]) : new KrakenBook(args[0]);
        int events = Integer.parseInt(args[2]);
        for (boolean done = false; !done; ) {
            try {
                book.follow(library, events);
                done = true;
            } catch (IOException ended) {
                JsonObject line = new JsonObject();
                line.addProperty("ended", ended.getMessage());
                tell(line);
            }
        }
        System.out.println("done");
    }

    static void tell(Object line) {
        System.out.println(new Gson().toJson(line));
    }

    static void check(boolean right, Object what) {
        if (!right) throw new AssertionError(what);
    }
}

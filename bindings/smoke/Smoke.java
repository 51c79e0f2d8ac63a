// Marline from Java 17 through JNA:  java -cp jna.jar -Djna.library.path=DIR Smoke.java
import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.LongByReference;
import com.sun.jna.ptr.PointerByReference;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Function;

public class Smoke {
    /** size_t is a long on 64-bit systems, which is what this program is for. */
    public interface Marline extends Library {
        Marline LIB = Native.load("marline", Marline.class);

        String marline_status_name(int status);
        int marline_account_generate(byte[] subject, long n, PointerByReference out, Pointer err);
        int marline_account_publish(Pointer a, int count, long now, PointerByReference out, Pointer err);
        int marline_publication_bundle(Pointer p, int index, PointerByReference out, Pointer err);
        int marline_account_initiate(Pointer a, byte[] bundle, long bn, byte[] text, long tn, byte[] ad, long an,
            Pointer options, long now, PointerByReference session, PointerByReference message, Pointer err);
        int marline_account_accept(Pointer a, byte[] message, long n, byte[] ad, long an, long now,
            PointerByReference session, PointerByReference opened, Pointer err);
        int marline_session_encrypt(Pointer s, byte[] text, long n, byte[] ad, long an, Pointer options,
            PointerByReference out, Pointer err);
        int marline_session_decrypt(Pointer s, byte[] message, long n, byte[] ad, long an, PointerByReference out, Pointer err);
        int marline_session_export(Pointer s, byte[] key, long kn, PointerByReference out, LongByReference generation, Pointer err);
        int marline_session_import(byte[] key, long kn, byte[] sealed, long sn, long minimum, PointerByReference out, Pointer err);
        Pointer marline_buffer_data(Pointer b);
        long marline_buffer_len(Pointer b);
        Pointer marline_opened_plaintext(Pointer o);
        long marline_opened_plaintext_len(Pointer o);
        Pointer marline_opened_subject(Pointer o);
        long marline_opened_subject_len(Pointer o);
        void marline_buffer_free(Pointer b);
        void marline_opened_free(Pointer o);
        void marline_session_free(Pointer s);
        void marline_publication_free(Pointer p);
        void marline_account_free(Pointer a);
    }

    static final Marline M = Marline.LIB;
    static final long NOW = 1800000000L;
    static final byte[] NONE = new byte[0];

    static void check(int status) {
        if (status != 0) throw new IllegalStateException(M.marline_status_name(status));
    }

    static Pointer handle(Function<PointerByReference, Integer> call) {
        PointerByReference out = new PointerByReference();
        check(call.apply(out));
        return out.getValue();
    }

    static byte[] bytes(Function<PointerByReference, Integer> call) {
        Pointer buffer = handle(call);
        byte[] result = M.marline_buffer_data(buffer).getByteArray(0, (int) M.marline_buffer_len(buffer));
        M.marline_buffer_free(buffer);
        return result;
    }

    static String[] take(Pointer o) {
        byte[] text = M.marline_opened_plaintext(o).getByteArray(0, (int) M.marline_opened_plaintext_len(o));
        byte[] from = M.marline_opened_subject(o).getByteArray(0, (int) M.marline_opened_subject_len(o));
        M.marline_opened_free(o);
        return new String[] {new String(text, StandardCharsets.UTF_8), new String(from, StandardCharsets.UTF_8)};
    }

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static Pointer account(String name) {
        return handle(out -> M.marline_account_generate(utf8(name), name.length(), out, null));
    }

    static byte[] encrypt(Pointer s, String text, byte[] ad) {
        return bytes(out -> M.marline_session_encrypt(s, utf8(text), utf8(text).length, ad, ad.length, null, out, null));
    }

    static String decrypt(Pointer s, byte[] message, byte[] ad) {
        return take(handle(out -> M.marline_session_decrypt(s, message, message.length, ad, ad.length, out, null)))[0];
    }

    static void same(Object expected, Object got) {
        if (!expected.equals(got)) throw new AssertionError(expected + " is not " + got);
    }

    static void refused(String name, Runnable call) {
        try {
            call.run();
        } catch (IllegalStateException refusal) {
            same(name, refusal.getMessage());
            return;
        }
        throw new AssertionError("not refused: " + name);
    }

    public static void main(String[] arguments) {
        Pointer alice = account("alice"), bob = account("bob");
        Pointer publication = handle(out -> M.marline_account_publish(bob, 2, NOW, out, null));
        byte[] bundle = bytes(out -> M.marline_publication_bundle(publication, 0, out, null));

        PointerByReference started = new PointerByReference(), opened = new PointerByReference();
        byte[] first = bytes(out -> M.marline_account_initiate(alice, bundle, bundle.length, utf8("hello"), 5, NONE, 0, null, NOW,
            started, out, null));
        Pointer toBob = started.getValue();
        Pointer toAlice = handle(out -> M.marline_account_accept(bob, first, first.length, NONE, 0, NOW, out, opened, null));
        same("[hello, alice]", Arrays.toString(take(opened.getValue())));

        for (int i = 0; i < 80; i++) {
            Pointer from = i % 2 == 0 ? toAlice : toBob, to = i % 2 == 0 ? toBob : toAlice;
            same("message " + i, decrypt(to, encrypt(from, "message " + i, utf8("ad")), utf8("ad")));
        }

        byte[] message = encrypt(toAlice, "once", NONE), forged = message.clone();
        forged[forged.length - 1] ^= 1;
        refused("MARLINE_ERR_AUTHENTICATION", () -> decrypt(toBob, forged, NONE));
        same("once", decrypt(toBob, message, NONE));

        byte[] key = new byte[32];
        LongByReference generation = new LongByReference();
        byte[] sealed = bytes(out -> M.marline_session_export(toBob, key, 32, out, generation, null));
        refused("MARLINE_ERR_ROLLBACK", () -> handle(out -> M.marline_session_import(key, 32, sealed, sealed.length,
            generation.getValue() + 1, out, null)));
        Pointer restored = handle(out -> M.marline_session_import(key, 32, sealed, sealed.length, generation.getValue(), out, null));
        same("back", decrypt(toAlice, encrypt(restored, "back", NONE), NONE));

        for (Pointer session : new Pointer[] {toBob, toAlice, restored}) M.marline_session_free(session);
        M.marline_publication_free(publication);
        M.marline_account_free(alice);
        M.marline_account_free(bob);
        System.out.println("java: ok");
    }
}

/* The gateway as a Java shop would write it: JAX-WS RI 2.3 on the JDK's own HttpsServer and clients. JAXB types end to end,
 * except CSN, which is passed on as XML, and FK, which is JSON over java.net.http. */
import com.sun.net.httpserver.*;
import java.io.*;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.security.KeyStore;
import java.util.*;
import java.util.concurrent.*;
import java.util.function.*;
import javax.net.ssl.*;
import javax.xml.bind.*;
import javax.xml.datatype.XMLGregorianCalendar;
import javax.xml.namespace.QName;
import javax.xml.soap.*;
import javax.xml.transform.*;
import javax.xml.transform.stream.*;
import javax.xml.validation.*;
import javax.xml.ws.*;
import javax.xml.ws.soap.*;
import schemas.ubpservice.int014.*;
import se.arbetsformedlingen.api.arbetssokande.ersattningsstod.v2.*;
import se.forsakringskassan.schema.integration.ssbt._10.*;
import se.forsakringskassan.schema.integration.ssbt._10.Error;
import se.migrationsverket.schema.ssbtek._1.*;
import se.rsv.zg.bs.service.ws.beskattningws.*;
import se.transportstyrelsen.schema.ssbtek.hamtauppgifterresponder._1.*;
import se.transportstyrelsen.schema.ssbtek.person._1.*;

public class Gateway {
    static final String SSBT = "http://schema.forsakringskassan.se/integration/ssbt/10";
    static String env(String k, String d) {
        String v = System.getenv(k);
        return v == null || v.isEmpty() ? d : v;
    }
    static final String UP = env("UPSTREAM", "http://127.0.0.1:28580");
    static final int TMO = Integer.parseInt(env("UPSTREAM_TIMEOUT_MS", "5000"));
    static final ExecutorService FAN = Executors.newCachedThreadPool(r -> {
        Thread t = new Thread(r, "fan");
        t.setDaemon(true);
        return t;
    });
    static final SSLContext UPSTREAM_TLS = UP.startsWith("https:") ? tls("gateway.p12") : null;
    static final HttpClient HTTP = httpClient();
    static JAXBContext CTX;
    static Schema SCHEMA;

    // one client (Dispatch) per thread and service: Dispatch is not documented as thread safe
    static final Map<String, Service> SVC = new HashMap<>();
    static final ThreadLocal<Map<String, Dispatch<?>>> D = ThreadLocal.withInitial(HashMap::new);
    static {
        for (String n : new String[] {"af", "csn", "skv", "so", "tns", "miv"}) {
            Service s = Service.create(new QName("urn:bench", n));
            s.addPort(new QName("urn:bench", "p"), SOAPBinding.SOAP11HTTP_BINDING, UP + "/" + n);
            SVC.put(n, s);
        }
    }
    static void conf(BindingProvider b) {
        Map<String, Object> m = b.getRequestContext();
        m.put("com.sun.xml.ws.connect.timeout", TMO);
        m.put("com.sun.xml.ws.request.timeout", TMO);
        if (UPSTREAM_TLS != null)
            m.put("com.sun.xml.ws.transport.https.client.SSLSocketFactory", UPSTREAM_TLS.getSocketFactory());
    }
    @SuppressWarnings("unchecked")
    static Dispatch<Object> typed(String n) {
        return (Dispatch<Object>) D.get().computeIfAbsent(n, k -> {
            synchronized (Gateway.class) {
                Dispatch<Object> d = SVC.get(k).createDispatch(new QName("urn:bench", "p"), CTX, Service.Mode.PAYLOAD);
                conf(d);
                return d;
            }
        });
    }
    @SuppressWarnings("unchecked")
    static Dispatch<Source> raw(String n) {
        return (Dispatch<Source>) D.get().computeIfAbsent(n, k -> {
            synchronized (Gateway.class) {
                Dispatch<Source> d =
                    SVC.get(k).createDispatch(new QName("urn:bench", "p"), Source.class, Service.Mode.PAYLOAD);
                conf(d);
                return d;
            }
        });
    }
    static Object call(String n, Object q) {
        Object r = typed(n).invoke(q);
        return r instanceof JAXBElement ? ((JAXBElement<?>) r).getValue() : r;
    }

    static SSLContext tls(String own) {
        try {
            String certs = env("CERTS", "../certs");
            KeyStore ks = KeyStore.getInstance("PKCS12"), ts = KeyStore.getInstance("PKCS12");
            try (InputStream i = new FileInputStream(certs + "/" + own)) {
                ks.load(i, "benchbench".toCharArray());
            }
            try (InputStream i = new FileInputStream(certs + "/trust.p12")) {
                ts.load(i, "benchbench".toCharArray());
            }
            KeyManagerFactory kmf = KeyManagerFactory.getInstance("PKIX");
            kmf.init(ks, "benchbench".toCharArray());
            TrustManagerFactory tmf = TrustManagerFactory.getInstance("PKIX");
            tmf.init(ts);
            SSLContext ssl = SSLContext.getInstance("TLS");
            ssl.init(kmf.getKeyManagers(), tmf.getTrustManagers(), null);
            return ssl;
        } catch (Exception e) {
            throw new RuntimeException(e);
        }
    }
    static HttpClient httpClient() {
        HttpClient.Builder b = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1);
        return (UPSTREAM_TLS == null ? b : b.sslContext(UPSTREAM_TLS)).build();
    }
    static byte[] lefi(ForsakringskassanFraga q) {
        URI at = URI.create(UP + "/fk/lefi-extern-formansinformation/v9/aktorer/"
            + java.net.URLEncoder.encode(q.getAktorsid(), StandardCharsets.UTF_8) + "/formansinformation/fraga");
        HttpRequest r = HttpRequest.newBuilder(at)
                            .timeout(java.time.Duration.ofMillis(TMO))
                            .header("Content-Type", "application/json")
                            .header("Accept", "application/json")
                            .POST(HttpRequest.BodyPublishers.ofByteArray(q.getLefiJsonFraga()))
                            .build();
        try {
            HttpResponse<byte[]> a = HTTP.send(r, HttpResponse.BodyHandlers.ofByteArray());
            if (a.statusCode() != 200) throw new WebServiceException("HTTP " + a.statusCode());
            return a.body();
        } catch (IOException | InterruptedException e) {
            throw new WebServiceException(e);
        }
    }

    static Error err(Throwable t) {
        while (t instanceof CompletionException || t instanceof ExecutionException) t = t.getCause();
        Error e = new Error();
        if (t instanceof SOAPFaultException) {
            e.setKalla(KallaEnum.BT);
            e.setFelkod("SOAPFAULT");
            e.getFelmeddelande().add(String.valueOf(((SOAPFaultException) t).getFault().getFaultString()));
        } else {
            e.setKalla(KallaEnum.SSBT);
            boolean to = false;
            for (Throwable c = t; c != null; c = c.getCause())
                to |= c instanceof java.net.SocketTimeoutException || c instanceof TimeoutException;
            e.setFelkod(to ? "TIMEOUT" : "FEL");
            e.getFelmeddelande().add(to ? "Bastjänsten svarade inte i tid" : String.valueOf(t.getMessage()));
        }
        return e;
    }
    static <T> CompletableFuture<T> go(boolean inkl, Supplier<T> ok, Function<Error, T> bad) {
        if (!inkl) return null;
        return CompletableFuture.supplyAsync(ok, FAN)
            .completeOnTimeout(null, TMO + 500, TimeUnit.MILLISECONDS)
            .handle((v, t) -> t == null && v != null ? v : bad.apply(err(t == null ? new TimeoutException() : t)));
    }
    static String esc(String s) { return s.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"); }
    static Tidsperiod per(Tidsperiod own, GenerellaFrageparametrar g) { return own != null ? own : g.getTidsperiod(); }

    @javax.jws.
    WebService(endpointInterface = "se.forsakringskassan.schema.integration.ssbt._10.BastjanstInformationInterface",
        targetNamespace = SSBT, serviceName = "BastjanstInformationInterfaceService",
        portName = "BastjanstInformationInterfacePort")
    public static class Impl implements BastjanstInformationInterface {
        public SammansattBastjanstSvar hamtaBastjanstInformation(SammansattBastjanstFraga f)
            throws HamtaBastjanstInformationFault {
            GenerellaFrageparametrar g = f.getGenerellaFrageparametrar();
            SpecifikaFrageparametrar s = f.getSpecifikaFrageparametrar();
            Ingivare ing = g.getIngivare();
            String pid = g.getPersonidentitet();
            CompletableFuture<ArbetsformedlingenSvar> af = go(s.getAF().isInkludera(),
                ()
                    -> {
                    Tidsperiod p = per(s.getAF().getTidsperiod(), g);
                    FragaMeddelande m = new FragaMeddelande();
                    Fraga q = new Fraga();
                    q.setOrganisationsnummerForIngivare(ing.getOrganisationsnummer());
                    q.setNamnPaIngivare(ing.getNamn());
                    q.setKontonamnForHandlaggare(ing.getHandlaggare());
                    q.setReferensnummer(g.getArendeidentitet());
                    q.setFrom(p.getFromDatum());
                    q.setTom(p.getTomDatum());
                    q.setSyfteMedFraga(g.getSyfte());
                    q.setLagParagraf(g.getLagtext());
                    q.setIdentitetsbeteckningFysiskPerson(pid);
                    m.setFraga(q);
                    ArbetsformedlingenSvar r = new ArbetsformedlingenSvar();
                    r.setData((SvarMeddelande) call("af",
                        new se.arbetsformedlingen.api.arbetssokande.ersattningsstod.v2.ObjectFactory()
                            .createFragaMeddelande(m)));
                    return r;
                },
                e -> {
                    ArbetsformedlingenSvar r = new ArbetsformedlingenSvar();
                    r.setError(e);
                    return r;
                });
            CompletableFuture<CsnSvar> csn = go(s.getCSN().isInkludera(),
                ()
                    -> {
                    Tidsperiod p = per(s.getCSN().getTidsperiod(), g);
                    String x = "<csn:SBNUppgEkBistandBegar xmlns:csn=\"http://schema.csn.se/v4.0/kommunfraga\" "
                               + "xmlns:sam=\"http://www.sambruk.se/SBNyttomeddelanden\"><sam:Personnummer>"
                        + esc(pid) + "</sam:Personnummer><sam:From>" + p.getFromDatum() + "</sam:From><sam:Tom>"
                        + p.getTomDatum() + "</sam:Tom><sam:Referens>" + esc(g.getArendeidentitet())
                        + "</sam:Referens></csn:SBNUppgEkBistandBegar>";
                    Source a = raw("csn").invoke(new StreamSource(new StringReader(x)));
                    ByteArrayOutputStream o = new ByteArrayOutputStream(4096);
                    try {
                        Transformer t = TF.get();
                        t.transform(a, new StreamResult(o));
                    } catch (TransformerException e) {
                        throw new RuntimeException(e);
                    }
                    CsnSvar r = new CsnSvar();
                    CsnSvarsData d = new CsnSvarsData();
                    d.setSvar(o.toByteArray());
                    r.setData(d);
                    return r;
                },
                e -> {
                    CsnSvar r = new CsnSvar();
                    r.setError(e);
                    return r;
                });
            CompletableFuture<ForsakringskassanSvar> fk = go(s.getFK().isInkludera(),
                ()
                    -> {
                    FkSvarsData d = new FkSvarsData();
                    d.setLefiJsonSvar(lefi(s.getFK().getFraga()));
                    ForsakringskassanSvar r = new ForsakringskassanSvar();
                    r.setData(d);
                    return r;
                },
                e -> {
                    ForsakringskassanSvar r = new ForsakringskassanSvar();
                    r.setError(e);
                    return r;
                });
            CompletableFuture<SkatteverketSvar> skv = go(s.getSKV().isInkludera(),
                ()
                    -> {
                    BeskattningsuppgifterRequestTYPE q = new BeskattningsuppgifterRequestTYPE();
                    q.setForfragan("<Forfragan><Personnummer>" + esc(pid) + "</Personnummer><Referens>"
                        + esc(g.getArendeidentitet()) + "</Referens></Forfragan>");
                    SkatteverketSvar r = new SkatteverketSvar();
                    r.setData((BeskattningsuppgifterResponseTYPE) call("skv",
                        new se.rsv.zg.bs.service.ws.beskattningws.ObjectFactory().createBeskattningsuppgifterRequest(
                            q)));
                    return r;
                },
                e -> {
                    SkatteverketSvar r = new SkatteverketSvar();
                    r.setError(e);
                    return r;
                });
            CompletableFuture<AkassornasSamorganisationSvar> so = go(s.getSO().isInkludera(),
                ()
                    -> {
                    Tidsperiod p = per(s.getSO().getTidsperiod(), g);
                    GetUnemploymentBenefitPaymentRequest q = new GetUnemploymentBenefitPaymentRequest();
                    q.setOrganisationsnummerIngivare(ing.getOrganisationsnummer());
                    q.setNamnIngivare(ing.getNamn());
                    q.setKontonamnHandlaggare(ing.getHandlaggare());
                    q.setReferensnummer(g.getArendeidentitet());
                    q.setFrom(p.getFromDatum());
                    q.setTom(p.getTomDatum());
                    q.setSyfte(g.getSyfte());
                    q.setParagraf(g.getLagtext());
                    q.setIdentificationNumber(pid);
                    for (Personuppgiftsbitrade b : g.getPersonuppgiftsbitrade()) {
                        q.getOrganisationsnummerPersonuppgiftsbitrade().add(b.getOrganisationsnummer());
                        q.getNamnPersonuppgiftsbitrade().add(b.getNamn());
                    }
                    AkassornasSamorganisationSvar r = new AkassornasSamorganisationSvar();
                    r.setData((GetUnemploymentBenefitPaymentResponseType) call("so", q));
                    return r;
                },
                e -> {
                    AkassornasSamorganisationSvar r = new AkassornasSamorganisationSvar();
                    r.setError(e);
                    return r;
                });
            CompletableFuture<TransportstyrelsenSvar> tns = go(s.getTNS().isInkludera(),
                ()
                    -> {
                    HamtaUppgifterType q = new HamtaUppgifterType();
                    IdentifikationType i = new IdentifikationType();
                    i.setSekel(pid.substring(0, 2));
                    i.setPersonnummer(pid.substring(2));
                    q.setIdentifikation(i);
                    TransportstyrelsenSvar r = new TransportstyrelsenSvar();
                    r.setData((HamtaUppgifterResponseType) call("tns",
                        new se.transportstyrelsen.schema.ssbtek.hamtauppgifterresponder._1.ObjectFactory()
                            .createHamtaUppgifter(q)));
                    return r;
                },
                e -> {
                    TransportstyrelsenSvar r = new TransportstyrelsenSvar();
                    r.setError(e);
                    return r;
                });
            CompletableFuture<MigrationsverketSvar> miv = go(s.getMIV().isInkludera(),
                ()
                    -> {
                    FindByPersonnummer q = new FindByPersonnummer();
                    FkQuery k = new FkQuery();
                    FkQueryIngivare ki = new FkQueryIngivare();
                    ki.setHandlaggare(ing.getHandlaggare());
                    ki.setNamn(ing.getNamn());
                    ki.setOrganisationsnummer(ing.getOrganisationsnummer());
                    k.setKorrelationsid(g.getKorrelationsid());
                    k.setPersonnummer(pid);
                    k.setIngivare(ki);
                    q.setQuery(k);
                    MigrationsverketSvar r = new MigrationsverketSvar();
                    r.setData((FindByPersonnummerResponse) call(
                        "miv", new se.migrationsverket.schema.ssbtek._1.ObjectFactory().createFindByPersonnummer(q)));
                    return r;
                },
                e -> {
                    MigrationsverketSvar r = new MigrationsverketSvar();
                    r.setError(e);
                    return r;
                });
            SammansattBastjanstSvarData d = new SammansattBastjanstSvarData();
            if (af != null) d.setAF(af.join());
            if (csn != null) d.setCSN(csn.join());
            if (fk != null) d.setFK(fk.join());
            if (skv != null) d.setSKV(skv.join());
            if (so != null) d.setSO(so.join());
            if (tns != null) d.setTNS(tns.join());
            if (miv != null) d.setMIV(miv.join());
            SammansattBastjanstSvar a = new SammansattBastjanstSvar();
            if (g.isFraganSkallInkluderasISvaret()) {
                SammansattBastjanstFragaOriginal o = new SammansattBastjanstFragaOriginal();
                o.setGenerellaFrageparametrar(g);
                o.setSpecifikaFrageparametrar(s);
                a.setFraga(o);
            }
            a.setFrageTidpunkt(g.getFrageTidpunkt());
            a.setKorrelationsid(g.getKorrelationsid());
            a.setSvarsdata(d);
            return a;
        }
        public SammansattBastjanstTestSvar testaBastjanstInformation(SammansattBastjanstTestFraga f) {
            return new SammansattBastjanstTestSvar();
        }
    }
    static final ThreadLocal<Transformer> TF = ThreadLocal.withInitial(() -> {
        try {
            Transformer t = TransformerFactory.newInstance().newTransformer();
            t.setOutputProperty(OutputKeys.OMIT_XML_DECLARATION, "yes");
            return t;
        } catch (Exception e) {
            throw new RuntimeException(e);
        }
    });

    /**
     * Schema checks on the JAXB path: request unmarshalled and answer marshalled with the Schema set (one pass each,
     * no extra copy).
     */
    @WebServiceProvider(targetNamespace = SSBT, serviceName = "BastjanstInformationInterfaceService",
        portName = "BastjanstInformationInterfacePort")
    @ServiceMode(Service.Mode.PAYLOAD)
    public static class Prov implements Provider<Source> {
        final Impl impl = new Impl();
        static final ThreadLocal<Unmarshaller> U = ThreadLocal.withInitial(() -> {
            try {
                Unmarshaller u = CTX.createUnmarshaller();
                u.setSchema(SCHEMA);
                return u;
            } catch (JAXBException e) {
                throw new RuntimeException(e);
            }
        });
        static final ThreadLocal<Marshaller> M = ThreadLocal.withInitial(() -> {
            try {
                Marshaller m = CTX.createMarshaller();
                m.setSchema(SCHEMA);
                m.setProperty(Marshaller.JAXB_FRAGMENT, true);
                return m;
            } catch (JAXBException e) {
                throw new RuntimeException(e);
            }
        });
        public Source invoke(Source in) {
            try {
                Object q;
                try {
                    q = U.get().unmarshal(in);
                } catch (JAXBException e) {
                    throw fault("Client",
                        String.valueOf(e.getLinkedException() == null ? e : e.getLinkedException().getMessage()));
                }
                if (q instanceof JAXBElement) q = ((JAXBElement<?>) q).getValue();
                if (!(q instanceof SammansattBastjanstFraga)) throw fault("Client", "unknown request");
                SammansattBastjanstSvar a = impl.hamtaBastjanstInformation((SammansattBastjanstFraga) q);
                ByteArrayOutputStream o = new ByteArrayOutputStream(16384);
                try {
                    M.get().marshal(new se.forsakringskassan.schema.integration.ssbt._10.ObjectFactory()
                                        .createHamtaBastjanstInformationResponse(a),
                        o);
                } catch (JAXBException e) {
                    throw fault("Server", "answer does not follow the schema: " + e.getLinkedException());
                }
                return new StreamSource(new ByteArrayInputStream(o.toByteArray()));
            } catch (SOAPFaultException e) {
                throw e;
            } catch (Exception e) {
                throw new WebServiceException(e);
            }
        }
        static SOAPFaultException fault(String code, String msg) throws SOAPException {
            return new SOAPFaultException(SOAPFactory.newInstance().createFault(
                msg, new QName("http://schemas.xmlsoap.org/soap/envelope/", code)));
        }
    }

    public static void main(String[] av) throws Exception {
        int port = Integer.parseInt(env("PORT", "29101"));
        CTX = JAXBContext.newInstance(
            "se.forsakringskassan.schema.integration.ssbt._10:se.arbetsformedlingen.api.arbetssokande.ersattningsstod."
            + "v2:se.rsv.zg.bs.service.ws.beskattningws:schemas.ubpservice.int014:se.transportstyrelsen.schema.ssbtek."
            + "hamtauppgifterresponder._1:se.transportstyrelsen.schema.ssbtek.person._1:se.transportstyrelsen.schema."
            + "ssbtek.fordon._1:se.migrationsverket.schema.ssbtek._1");
        SCHEMA = SchemaFactory.newInstance("http://www.w3.org/2001/XMLSchema").newSchema(new File(env("SCHEMA", "")));
        SSLContext ssl = tls("server.p12");
        HttpsServer hs = HttpsServer.create(new InetSocketAddress("127.0.0.1", port), 1024);
        hs.setHttpsConfigurator(new HttpsConfigurator(ssl) {
            public void configure(HttpsParameters p) {
                SSLParameters sp = getSSLContext().getDefaultSSLParameters();
                sp.setNeedClientAuth(true);
                sp.setProtocols(new String[] {"TLSv1.2", "TLSv1.3"});
                p.setSSLParameters(sp);
            }
        });
        hs.setExecutor(Executors.newFixedThreadPool(200));
        Endpoint ep = Endpoint.create(new Prov());
        ep.publish(hs.createContext("/ssbtek"));
        hs.start();
        System.out.println("java gateway on " + port + " with schema checks in and out");
    }
}

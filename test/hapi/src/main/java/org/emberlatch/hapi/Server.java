package org.emberlatch.hapi;

import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.interceptor.api.IInterceptorService;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.provider.IJpaSystemProvider;
import ca.uhn.fhir.jpa.provider.JpaCapabilityStatementProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.rest.api.EncodingEnum;
import ca.uhn.fhir.rest.server.IncomingRequestAddressStrategy;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import ca.uhn.fhir.rest.server.util.ISearchParamRegistry;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.ServerConnector;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;

/** Serves R4 at http://127.0.0.1:PORT/fhir until its standard input ends, and tells the port. */
public final class Server {
	public static void main(String[] args) throws Exception {
		var context = new AnnotationConfigApplicationContext(Config.class);
		var jetty = new org.eclipse.jetty.server.Server();
		var connector = new ServerConnector(jetty);
		connector.setHost("127.0.0.1");
		connector.setPort(args.length > 0 ? Integer.parseInt(args[0]) : 0);
		jetty.addConnector(connector);
		var handler = new ServletContextHandler("/");
		handler.addServlet(new ServletHolder(rest(context)), "/fhir/*");
		jetty.setHandler(handler);
		jetty.start();
		System.out.println("http://127.0.0.1:" + connector.getLocalPort() + "/fhir");
		while (System.in.read() >= 0) {
			// whoever started it still holds it
		}
		System.exit(0);
	}

	private static RestfulServer rest(AnnotationConfigApplicationContext context) {
		IFhirSystemDao<?, ?> dao = context.getBean(IFhirSystemDao.class);
		var server = new RestfulServer(dao.getContext());
		server.registerProviders(context.getBean(ResourceProviderFactory.class).createProviders());
		server.registerProvider(context.getBean(IJpaSystemProvider.class));
		server.setServerConformanceProvider(new JpaCapabilityStatementProvider(server, dao, context.getBean(JpaStorageSettings.class),
				context.getBean(ISearchParamRegistry.class), context.getBean(IValidationSupport.class)));
		server.setPagingProvider(context.getBean(DatabaseBackedPagingProvider.class));
		server.setDefaultResponseEncoding(EncodingEnum.JSON);
		server.setServerAddressStrategy(new IncomingRequestAddressStrategy());
		server.setInterceptorService(context.getBean(IInterceptorService.class));
		return server;
	}

	private Server() {}
}
